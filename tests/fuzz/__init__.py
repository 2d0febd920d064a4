"""Every parser fed with what nobody thought of: `make fuzz`, and for a moment in every run of the tests."""
