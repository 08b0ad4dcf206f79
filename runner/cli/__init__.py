"""The command line: each subcommand parses, calls the lifecycle or the audit, and prints. None knows another."""
