"""Who answers the ports; known to `wiring` only."""
