"""The numbered checks, a few to a module by what they look at; `registry.py` is the list."""
