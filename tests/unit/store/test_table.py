"""Table: rows, columns, text and frames, with and without the extras."""

import sys

import numpy as np
import pytest

from tiertwin.errors import InputError, MissingExtraError
from tiertwin.store import Table


@pytest.fixture
def table() -> Table:
    return Table(
        {
            "policy": np.array(["hierarchical", "static", "static"], dtype=object),
            "epoch": np.array([0, 0, 1], dtype=np.int32),
            "value": np.array([1.5, np.nan, 2.25]),
        }
    )


def test_rows_are_dictionaries_of_plain_values(table):
    assert len(table) == 3
    first = next(iter(table))
    assert first == {"policy": "hierarchical", "epoch": 0, "value": 1.5}
    assert [type(value) for value in first.values()] == [str, int, float]
    assert table.columns == ["policy", "epoch", "value"]
    assert "epoch" in table
    assert table["epoch"].dtype == np.int32


def test_where_takes_rows_that_match_all(table):
    found = table.where(policy="static", epoch=1)
    assert found.to_dicts() == [{"policy": "static", "epoch": 1, "value": 2.25}]
    assert len(table.where(policy="nobody")) == 0
    assert table.where(policy="nobody").columns == table.columns


def test_columns_of_lists_work_as_arrays_do():
    table = Table({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    assert table.where(b="y").to_dicts() == [{"a": 2, "b": "y"}]
    assert table.head(2)["a"] == [1, 2]


def test_unknown_column_suggests_the_nearest(table):
    with pytest.raises(InputError, match=r"no column 'policies'. Did you mean 'policy'"):
        table["policies"]


def test_unequal_columns_are_refused():
    with pytest.raises(InputError, match="expected 2 rows"):
        Table({"a": [1, 2], "b": [1]})


def test_text_is_aligned_and_says_how_much_it_left_out(table):
    text = table.table("Title", rows=2)
    lines = text.splitlines()
    assert lines[0] == "Title"
    assert lines[1].split() == ["policy", "epoch", "value"]
    assert lines[3].startswith("hierarchical      0    1.5")
    assert lines[-1] == "… 1 more rows"


def test_rich_table_has_a_column_a_column(table):
    made = table.rich("Title")
    assert [str(column.header) for column in made.columns] == ["policy", "epoch", "value"]
    assert made.row_count == 3


def test_frames(table):
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    frame = table.to_pandas()
    assert list(frame.columns) == table.columns
    assert frame["value"].sum() == 3.75
    made = table.to_polars()
    assert made["policy"].dtype == polars.String
    assert made["epoch"].to_list() == [0, 0, 1]
    assert isinstance(frame, pandas.DataFrame)


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_a_missing_extra_gives_the_pip_line(table, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)  # what an absent package looks like to `import`
    with pytest.raises(MissingExtraError, match=rf'Frames need {package}: pip install "tiertwin\[data\]"'):
        getattr(table, f"to_{package}")()
