"""A worker: takes sealed questions from a router and answers them with whatever engine it is given.

answerer   what an engine must offer
session    one connection to a router, from `hello` to `bye`
answering  one question, from its seal to its receipt
"""
