"""Writes a copy of a notebook whose cell of parameters is followed by the settings of the short form: short_form.py NOTEBOOK COPY. Checks the notebook against nbformat's schema too."""
import sys

import nbformat

notebook = nbformat.read(sys.argv[1], as_version=4)
nbformat.validate(notebook)
for index, cell in enumerate(notebook.cells):
    if "parameters" in cell.metadata.get("tags", []) and "bool quick" in cell.source:
        notebook.cells.insert(index + 1, nbformat.v4.new_code_cell("quick = true;"))
        break
nbformat.write(notebook, sys.argv[2])
