"""Describe: blocks go in, a `Description` with statistics, frequencies and UNF comes out."""
