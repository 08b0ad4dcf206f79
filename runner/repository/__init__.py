"""Git itself: not a port, because the product is Git. Reads at a commit, writes without a work tree, moves branches."""
