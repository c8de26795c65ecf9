#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""frames.py LINES: the JSON lines of results-location as a table of pandas, a row for each buffer.

pandas.read_json() makes floats of integers where a line lacks a column, as the last line does, and
leaves results objects."""
import json
import sys

import pandas


def read(path):
    """The table. Its columns are the fields of vyre-results, and luma.sum and so on of results."""
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    if not lines or lines[-1]["type"] != "vyre-end":
        sys.exit("The file was cut.")
    return pandas.json_normalize([line for line in lines if line["type"] == "vyre-results"])


if __name__ == "__main__":
    table = read(sys.argv[1])
    table["mean"] = table["luma.sum"] / table["luma.count"]
    print(table[["sequence", "luma.sum", "mean"]].to_string(index=False, header=False))
