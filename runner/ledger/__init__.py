"""The ledger: the numbered, signed, hash-linked record that is the only lock, queue and database."""
