-- Refused while a resource has a parameter: nobody would see what it opened.
BEGIN;

ALTER TABLE product_resource
	DROP CONSTRAINT product_resource_one_shape,
	DROP COLUMN shape,
	DROP CONSTRAINT product_resource_plain,
	DROP CONSTRAINT product_resource_places,
	ADD CONSTRAINT product_resource_plain CHECK (length(path) <= 200
	    AND path ~ '^(/[A-Za-z0-9_~.-]*[A-Za-z0-9_~-])+$'),
	ADD CONSTRAINT product_resource_places CHECK (place BETWEEN 1 AND 64);

COMMIT;
