-- Where somebody's posts came from is forgotten with their account.
grant delete on imported_post to :app_role;
