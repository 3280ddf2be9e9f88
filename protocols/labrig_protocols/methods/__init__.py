"""Methods that come with labrig, one TOML file each."""
