"""Weather on microwave links: where rain goes, how deep links will fade, and what to do before they do."""
