"""The office's papers: pictures, tables, prints and charts, drawn from plain values."""
