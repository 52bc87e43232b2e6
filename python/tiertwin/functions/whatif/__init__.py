"""What might happen: situations made up from history and from failures, and what to build against them."""
