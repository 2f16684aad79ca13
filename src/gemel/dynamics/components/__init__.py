"""Components of machines, each in a file of its own."""
