"""Forges: where people ask, approve and read."""
