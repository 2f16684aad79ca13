"""How fast: what `gemel bench` runs. Each file is one question, measured from outside on a real family."""
