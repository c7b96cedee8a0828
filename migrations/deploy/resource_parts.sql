-- A part of a resource's path may be a parameter, "{customerId}", which stands
-- for one part of a call's path (app/apiusers/permission.h).  Paths that only
-- name their parameters otherwise are one path.  A product has up to 256.
BEGIN;

ALTER TABLE product_resource
	DROP CONSTRAINT product_resource_plain,
	DROP CONSTRAINT product_resource_places,
	ADD CONSTRAINT product_resource_plain CHECK (length(path) <= 200
	    AND path ~ ('^(/([A-Za-z0-9_~.-]*[A-Za-z0-9_~-]'
		'|\{[A-Za-z0-9_-]{1,40}\}))+$')),
	ADD CONSTRAINT product_resource_places CHECK (place BETWEEN 1 AND 256),
	ADD COLUMN shape text NOT NULL GENERATED ALWAYS AS
	    (regexp_replace(path, '\{[^}]*\}', '{}', 'g')) STORED,
	ADD CONSTRAINT product_resource_one_shape UNIQUE (product_id, shape)
	    DEFERRABLE;

COMMIT;
