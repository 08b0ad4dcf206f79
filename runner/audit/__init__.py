"""Answers from Git alone: what happened (`query`), and whether the record of it still holds (`verify`)."""
