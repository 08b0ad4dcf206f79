"""What exactly will happen: the frozen plan, its digest, and the life of the run it begins."""
