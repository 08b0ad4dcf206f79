"""What people are told on the issue: comments, labels, nothing twice. It mirrors the record and proves nothing."""
