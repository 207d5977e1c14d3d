"""A session on the server that the PG* environment names."""

import psycopg2


class Session:
    """A connection in which each statement is a transaction of its own."""

    def __init__(self):
        self.connection = psycopg2.connect('')
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.pid = self.connection.get_backend_pid()
        self.run('SET client_min_messages = warning')

    def run(self, sql, *values):
        self.cursor.execute(sql, values or None)

    def fetch(self, sql, *values):
        self.run(sql, *values)
        return self.cursor.fetchall()

    def value(self, sql, *values):
        """The first row's first column; None if there is no row."""
        self.run(sql, *values)
        row = self.cursor.fetchone()
        return row and row[0]

    def close(self):
        self.connection.close()
