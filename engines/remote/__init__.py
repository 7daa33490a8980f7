"""Models on other computers: any server that speaks OpenAI's chat protocol. Needs httpx only."""
