"""Pages of the type catalogue (证照目录): the list, a type, the editor with its preview, bulk loading, the list of uses."""
