"""What the product asks of the outside: a Protocol for each port and the few nouns that cross it."""
