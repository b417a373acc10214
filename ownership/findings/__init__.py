"""The registry's half of drift: keeps runs, compares them with the map, and plans what accepts or waives findings."""
