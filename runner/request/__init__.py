"""What was asked: requests and commands, parsed strictly from text that anybody may have written."""
