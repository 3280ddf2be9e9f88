"""The documentation says what is so: its links, commands, keys and programs are tried."""
