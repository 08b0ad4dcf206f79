"""The supervisor: gathers what the lifecycle reads, carries out what it answers. It alone holds keys and tokens."""
