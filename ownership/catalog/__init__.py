"""Reading the map: its queries, tracing the data flow, search and its index, similar names and warnings."""
