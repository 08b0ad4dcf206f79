"""Keys that sign: the supervisor's own, and a person's."""
