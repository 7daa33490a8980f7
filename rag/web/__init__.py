"""Pages of the web, fetched one at a time and only when somebody asks for one."""
