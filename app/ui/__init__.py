"""The screen: what people see and touch, in Flet. Only `app.main` starts it."""
