"""A router, without the way its messages travel: who is admitted, who gets a question, who hears an answer.

desk        what a router is: its key, its addresses, its limits, its broker
admission   how a worker gets in
connected   one registered worker and what it holds; pace: how fast it may speak
workers     its side of a worker's connection
directory   the workers that are there
asking      its side of an asker: candidates, questions, answers
"""
