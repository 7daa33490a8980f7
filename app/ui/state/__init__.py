"""What the screen shows, and what people can do with it: one `AppState` a session."""
