"""Reading the text in pictures, where a program for that is installed."""
