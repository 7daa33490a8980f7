"""The engine on llama.cpp: one loaded model in a process or thread of its own."""
