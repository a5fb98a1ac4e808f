"""Writers: a table, a stream or a description goes in, a file comes out."""
