"""One module a topic: its paths, its shapes, nothing else."""
