"""Where a router keeps questions, presence and answers on their way: one Protocol, several engines behind it.

protocol     what a router needs, and how to add an engine
embedded     in this process, with a SQLite file: for one router
job_table    its questions; settlement: what follows a change; job_file: the SQLite file;
             file_thread: the thread that works on it
frames       answers on their way, in memory
presence     which workers are there, in memory
nats         on a NATS server: for many routers that are one
"""
