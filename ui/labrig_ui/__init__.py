"""The desktop: windows on a rig server. Starts no device and keeps no data; what it shows, the server has recorded."""
