"""The shell around the rooms: layout, sign-in, static files, languages, health."""
