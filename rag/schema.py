"""The tables of the knowledge base."""

MIGRATIONS = (
    """
    CREATE TABLE collections (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        folded_name TEXT NOT NULL UNIQUE
    );

    CREATE TABLE documents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        collection_id INTEGER NOT NULL REFERENCES collections(id) ON DELETE CASCADE,
        title TEXT NOT NULL,
        source TEXT NOT NULL,
        owned INTEGER NOT NULL,           -- the file at `source` is ours, to be deleted after indexing
        content_hash TEXT,                -- NULL while the file could not be read
        bytes INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('queued', 'indexing', 'ready', 'failed')),
        error TEXT,
        pages INTEGER,
        staged INTEGER,                   -- passages to embed; NULL until the file is read to its end
        passages INTEGER NOT NULL DEFAULT 0,
        added_at REAL NOT NULL
    );
    CREATE INDEX documents_of_collection ON documents(collection_id, content_hash);
    CREATE INDEX waiting_documents ON documents(state) WHERE state IN ('queued', 'indexing');

    -- Documents on their way: read, and embedded batch by batch. Nobody searches here.
    CREATE TABLE staged_passages (
        document_id INTEGER NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        text TEXT NOT NULL,
        page INTEGER,
        heading TEXT,
        vector BLOB,
        embedder TEXT,
        UNIQUE (document_id, position)
    );

    -- AUTOINCREMENT: an answer cites passages by id, so the id of a deleted one never comes back.
    CREATE TABLE passages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        document_id INTEGER NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        text TEXT NOT NULL,
        page INTEGER,
        heading TEXT,
        UNIQUE (document_id, position)
    );
    CREATE VIRTUAL TABLE passage_words USING fts5(words, content='', contentless_delete=1);

    -- The truth about vectors, float32, readable without any extension; see rag/vectors.
    CREATE TABLE vectors (
        passage_id INTEGER PRIMARY KEY REFERENCES passages(id) ON DELETE CASCADE,
        collection_id INTEGER NOT NULL,
        vector BLOB NOT NULL
    );
    CREATE INDEX vectors_of_collection ON vectors(collection_id, passage_id);
    CREATE TABLE vector_state (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        embedder TEXT,                         -- whose vectors these are; NULL before the first
        dimension INTEGER NOT NULL DEFAULT 0,
        generation INTEGER NOT NULL DEFAULT 0, -- counts replacements and moves
        version INTEGER NOT NULL DEFAULT 0,    -- counts changes
        indexed TEXT                           -- the state the sqlite-vec table is in step with
    );
    INSERT INTO vector_state(id) VALUES (1);

    -- Vectors of another embedder, until all passages have theirs.
    CREATE TABLE next_vectors (
        passage_id INTEGER PRIMARY KEY REFERENCES passages(id) ON DELETE CASCADE,
        embedder TEXT NOT NULL,
        vector BLOB NOT NULL
    );
    """,
    """
    ALTER TABLE documents ADD COLUMN address TEXT;    -- of a page of the web; NULL for a file
    ALTER TABLE documents ADD COLUMN fetched_at REAL; -- when it was asked for last
    """,
    """
    -- Values of `rag.model.Sharing` and `rag.model.CollectionColor`.
    ALTER TABLE collections ADD COLUMN sharing TEXT NOT NULL DEFAULT 'private';
    ALTER TABLE collections ADD COLUMN color TEXT NOT NULL DEFAULT 'teal';
    """,
    """
    -- Not shown and not shared: files that go along with the questions of one conversation.
    ALTER TABLE collections ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
    """,
    """
    CREATE TABLE folders (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        collection_id INTEGER NOT NULL REFERENCES collections(id) ON DELETE CASCADE,
        path TEXT NOT NULL,
        error TEXT,                            -- why it cannot be followed now
        UNIQUE (collection_id, path)
    );
    -- As they were at the last look. Without a reference: what the user deletes does not come back.
    CREATE TABLE watched_files (
        folder_id INTEGER NOT NULL REFERENCES folders(id) ON DELETE CASCADE,
        path TEXT NOT NULL,
        signature TEXT NOT NULL,
        document_id INTEGER NOT NULL,
        PRIMARY KEY (folder_id, path)
    ) WITHOUT ROWID;
    CREATE INDEX watched_documents ON watched_files(document_id);
    """,
)
