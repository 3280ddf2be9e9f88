"""What labrig promises, as tests."""
