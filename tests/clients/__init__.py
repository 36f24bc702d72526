"""Plain pagers for each vendor, over any HTTP client of Werkzeug's test kind."""
