"""Pure functions of arrays: fluid properties, line fits, plateau criteria, uncertainty and results."""
