-- count_live: by Id, deletions marked, Ids may be repeated
SELECT count(*) AS live FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE));

-- count_absent: by Id, deletions marked, Ids may be repeated
SELECT count(*) AS absent FROM (
SELECT "ID" AS k, CAST(NULL AS DATETIME) AS deleted_at FROM "LAKE"."CRM"."MY_ACCOUNTS" AS t
WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE)) AND "ID" NOT IN
  (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL)
) AS a;

-- count_named: by Id, deletions marked, Ids may be repeated
SELECT count(*) AS named FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE)
GROUP BY d.k
) AS n;

-- delete_absent: by Id, deletions marked, Ids may be repeated
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT DISTINCT k, deleted_at FROM (
SELECT "ID" AS k, CAST(NULL AS DATETIME) AS deleted_at FROM "LAKE"."CRM"."MY_ACCOUNTS" AS t
WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE)) AND "ID" NOT IN
  (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL)
) AS a
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL OR coalesce(t."ISDELETED", FALSE)) THEN UPDATE SET "ISDELETED" = TRUE, "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- delete_named: by Id, deletions marked, Ids may be repeated
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE)
GROUP BY d.k
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL OR coalesce(t."ISDELETED", FALSE)) THEN UPDATE SET "ISDELETED" = TRUE, "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- delete_named, but for rows that live: by Id, deletions marked, Ids may be repeated
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE) AND d.k NOT IN (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL AND NOT coalesce("ISDELETED", FALSE))
GROUP BY d.k
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL OR coalesce(t."ISDELETED", FALSE)) THEN UPDATE SET "ISDELETED" = TRUE, "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- count_live: by Id, deletions marked, no Id repeated
SELECT count(*) AS live FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE));

-- count_absent: by Id, deletions marked, no Id repeated
SELECT count(*) AS absent FROM (
SELECT "ID" AS k, CAST(NULL AS DATETIME) AS deleted_at FROM "LAKE"."CRM"."MY_ACCOUNTS" AS t
WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE)) AND "ID" NOT IN
  (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL)
) AS a;

-- count_named: by Id, deletions marked, no Id repeated
SELECT count(*) AS named FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE)
GROUP BY d.k
) AS n;

-- delete_absent: by Id, deletions marked, no Id repeated
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT DISTINCT k, deleted_at FROM (
SELECT "ID" AS k, CAST(NULL AS DATETIME) AS deleted_at FROM "LAKE"."CRM"."MY_ACCOUNTS" AS t
WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE)) AND "ID" NOT IN
  (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL)
) AS a
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL OR coalesce(t."ISDELETED", FALSE)) THEN UPDATE SET "ISDELETED" = TRUE, "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- delete_named: by Id, deletions marked, no Id repeated
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE)
GROUP BY d.k
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL OR coalesce(t."ISDELETED", FALSE)) THEN UPDATE SET "ISDELETED" = TRUE, "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- delete_named, but for rows that live: by Id, deletions marked, no Id repeated
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE) AND d.k NOT IN (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL AND NOT coalesce("ISDELETED", FALSE))
GROUP BY d.k
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL OR coalesce(t."ISDELETED", FALSE)) THEN UPDATE SET "ISDELETED" = TRUE, "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- count_live: by Id, deletions remove rows
SELECT count(*) AS live FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE));

-- count_absent: by Id, deletions remove rows
SELECT count(*) AS absent FROM (
SELECT "ID" AS k, CAST(NULL AS DATETIME) AS deleted_at FROM "LAKE"."CRM"."MY_ACCOUNTS" AS t
WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE)) AND "ID" NOT IN
  (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL)
) AS a;

-- count_named: by Id, deletions remove rows
SELECT count(*) AS named FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE)
GROUP BY d.k
) AS n;

-- delete_absent: by Id, deletions remove rows
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT DISTINCT k, deleted_at FROM (
SELECT "ID" AS k, CAST(NULL AS DATETIME) AS deleted_at FROM "LAKE"."CRM"."MY_ACCOUNTS" AS t
WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE)) AND "ID" NOT IN
  (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL)
) AS a
) AS s
ON t."ID" = s.k
WHEN MATCHED THEN DELETE;

-- delete_named: by Id, deletions remove rows
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE)
GROUP BY d.k
) AS s
ON t."ID" = s.k
WHEN MATCHED THEN DELETE;

-- delete_named, but for rows that live: by Id, deletions remove rows
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE) AND d.k NOT IN (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL AND NOT coalesce("ISDELETED", FALSE))
GROUP BY d.k
) AS s
ON t."ID" = s.k
WHEN MATCHED THEN DELETE;

-- count_live: by Id, deletions ignored
SELECT count(*) AS live FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE));

-- count_absent: by Id, deletions ignored
SELECT count(*) AS absent FROM (
SELECT "ID" AS k, CAST(NULL AS DATETIME) AS deleted_at FROM "LAKE"."CRM"."MY_ACCOUNTS" AS t
WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE)) AND "ID" NOT IN
  (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL)
) AS a;

-- count_named: by Id, deletions ignored
SELECT count(*) AS named FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE)
GROUP BY d.k
) AS n;

-- count_live: by another key
SELECT count(*) AS live FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE));

-- count_absent: by another key
SELECT count(*) AS absent FROM (
SELECT "KEY__C" AS k, CAST(NULL AS DATETIME) AS deleted_at FROM "LAKE"."CRM"."MY_ACCOUNTS" AS t
WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE)) AND NOT EXISTS
  (SELECT 1 AS found FROM "LAKE"."LHT"."RUN1_ROWS" AS s WHERE s."KEY__C" = t."KEY__C" AND s."ID" = t."ID")
) AS a;

-- count_named: by another key
SELECT count(*) AS named FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE)
GROUP BY d.k
) AS n;

-- delete_absent: by another key
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT DISTINCT k, deleted_at FROM (
SELECT "KEY__C" AS k, CAST(NULL AS DATETIME) AS deleted_at FROM "LAKE"."CRM"."MY_ACCOUNTS" AS t
WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE)) AND NOT EXISTS
  (SELECT 1 AS found FROM "LAKE"."LHT"."RUN1_ROWS" AS s WHERE s."KEY__C" = t."KEY__C" AND s."ID" = t."ID")
) AS a
) AS n
) AS s
ON t."KEY__C" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL OR coalesce(t."ISDELETED", FALSE)) THEN UPDATE SET "ISDELETED" = TRUE, "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- delete_named: by another key
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE)
GROUP BY d.k
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL OR coalesce(t."ISDELETED", FALSE)) THEN UPDATE SET "ISDELETED" = TRUE, "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- delete_named, but for rows that live: by another key
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE) AND d.k NOT IN (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL AND NOT coalesce("ISDELETED", FALSE))
GROUP BY d.k
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL OR coalesce(t."ISDELETED", FALSE)) THEN UPDATE SET "ISDELETED" = TRUE, "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- delete_moved: by another key
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
  SELECT n."ID" AS i, n."KEY__C" AS k FROM (
  SELECT "ID", "KEY__C" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "KEY__C" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY "ID" ORDER BY "SYSTEMMODSTAMP" DESC NULLS LAST, "KEY__C") = 1
  ) AS n
  JOIN "LAKE"."CRM"."MY_ACCOUNTS" AS h ON h."ID" = n."ID" AND h."KEY__C" = n."KEY__C"
) AS s
ON t."ID" = s.i AND t."KEY__C" <> s.k
WHEN MATCHED THEN DELETE;

-- count_live: older stamps count, too
SELECT count(*) AS live FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE));

-- count_absent: older stamps count, too
SELECT count(*) AS absent FROM (
SELECT "ID" AS k, CAST(NULL AS DATETIME) AS deleted_at FROM "LAKE"."CRM"."MY_ACCOUNTS" AS t
WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE)) AND "ID" NOT IN
  (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL)
) AS a;

-- count_named: older stamps count, too
SELECT count(*) AS named FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE)
GROUP BY d.k
) AS n;

-- delete_absent: older stamps count, too
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT DISTINCT k, deleted_at FROM (
SELECT "ID" AS k, CAST(NULL AS DATETIME) AS deleted_at FROM "LAKE"."CRM"."MY_ACCOUNTS" AS t
WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE)) AND "ID" NOT IN
  (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL)
) AS a
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL OR coalesce(t."ISDELETED", FALSE)) THEN UPDATE SET "ISDELETED" = TRUE, "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- delete_named: older stamps count, too
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE)
GROUP BY d.k
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL OR coalesce(t."ISDELETED", FALSE)) THEN UPDATE SET "ISDELETED" = TRUE, "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- delete_named, but for rows that live: older stamps count, too
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE) AND d.k NOT IN (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL AND NOT coalesce("ISDELETED", FALSE))
GROUP BY d.k
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL OR coalesce(t."ISDELETED", FALSE)) THEN UPDATE SET "ISDELETED" = TRUE, "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- count_live: no stamp, no deletions
SELECT count(*) AS live FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL);

-- count_absent: no stamp, no deletions
SELECT count(*) AS absent FROM (
SELECT "ID" AS k, CAST(NULL AS DATETIME) AS deleted_at FROM "LAKE"."CRM"."MY_ACCOUNTS" AS t
WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL) AND "ID" NOT IN
  (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL)
) AS a;

-- count_named: no stamp, no deletions
SELECT count(*) AS named FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL)) AS t ON t."ID" = d.k
WHERE TRUE
GROUP BY d.k
) AS n;

-- delete_absent: no stamp, no deletions
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT DISTINCT k, deleted_at FROM (
SELECT "ID" AS k, CAST(NULL AS DATETIME) AS deleted_at FROM "LAKE"."CRM"."MY_ACCOUNTS" AS t
WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL) AND "ID" NOT IN
  (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL)
) AS a
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL) THEN UPDATE SET "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- delete_named: no stamp, no deletions
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL)) AS t ON t."ID" = d.k
WHERE TRUE
GROUP BY d.k
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL) THEN UPDATE SET "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- delete_named, but for rows that live: no stamp, no deletions
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL)) AS t ON t."ID" = d.k
WHERE TRUE AND d.k NOT IN (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL AND TRUE)
GROUP BY d.k
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL) THEN UPDATE SET "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- count_live: only some columns of rows that exist
SELECT count(*) AS live FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL);

-- count_absent: only some columns of rows that exist
SELECT count(*) AS absent FROM (
SELECT "ID" AS k, CAST(NULL AS DATETIME) AS deleted_at FROM "LAKE"."CRM"."MY_ACCOUNTS" AS t
WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL) AND "ID" NOT IN
  (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL)
) AS a;

-- count_named: only some columns of rows that exist
SELECT count(*) AS named FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL)) AS t ON t."ID" = d.k
WHERE TRUE
GROUP BY d.k
) AS n;

-- delete_absent: only some columns of rows that exist
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT DISTINCT k, deleted_at FROM (
SELECT "ID" AS k, CAST(NULL AS DATETIME) AS deleted_at FROM "LAKE"."CRM"."MY_ACCOUNTS" AS t
WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL) AND "ID" NOT IN
  (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL)
) AS a
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL) THEN UPDATE SET "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- delete_named: only some columns of rows that exist
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL)) AS t ON t."ID" = d.k
WHERE TRUE
GROUP BY d.k
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL) THEN UPDATE SET "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- delete_named, but for rows that live: only some columns of rows that exist
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL)) AS t ON t."ID" = d.k
WHERE TRUE AND d.k NOT IN (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL AND TRUE)
GROUP BY d.k
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL) THEN UPDATE SET "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- count_live: a text that has a collation
SELECT count(*) AS live FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE));

-- count_absent: a text that has a collation
SELECT count(*) AS absent FROM (
SELECT "ID" AS k, CAST(NULL AS DATETIME) AS deleted_at FROM "LAKE"."CRM"."MY_ACCOUNTS" AS t
WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE)) AND "ID" NOT IN
  (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL)
) AS a;

-- count_named: a text that has a collation
SELECT count(*) AS named FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE)
GROUP BY d.k
) AS n;

-- delete_absent: a text that has a collation
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT DISTINCT k, deleted_at FROM (
SELECT "ID" AS k, CAST(NULL AS DATETIME) AS deleted_at FROM "LAKE"."CRM"."MY_ACCOUNTS" AS t
WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE)) AND "ID" NOT IN
  (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL)
) AS a
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL OR coalesce(t."ISDELETED", FALSE)) THEN UPDATE SET "ISDELETED" = TRUE, "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- delete_named: a text that has a collation
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE)
GROUP BY d.k
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL OR coalesce(t."ISDELETED", FALSE)) THEN UPDATE SET "ISDELETED" = TRUE, "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- delete_named, but for rows that live: a text that has a collation
MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "LAKE"."CRM"."MY_ACCOUNTS" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE) AND d.k NOT IN (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL AND NOT coalesce("ISDELETED", FALSE))
GROUP BY d.k
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL OR coalesce(t."ISDELETED", FALSE)) THEN UPDATE SET "ISDELETED" = TRUE, "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- count_live: names that need their quotes
SELECT count(*) AS live FROM "my lake"."s.x"."O""dd" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE));

-- count_absent: names that need their quotes
SELECT count(*) AS absent FROM (
SELECT "k""ey" AS k, CAST(NULL AS DATETIME) AS deleted_at FROM "my lake"."s.x"."O""dd" AS t
WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE)) AND NOT EXISTS
  (SELECT 1 AS found FROM "LAKE"."LHT"."RUN1_ROWS" AS s WHERE s."k""ey" = t."k""ey" AND s."ID" = t."ID")
) AS a;

-- count_named: names that need their quotes
SELECT count(*) AS named FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "my lake"."s.x"."O""dd" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE)
GROUP BY d.k
) AS n;

-- delete_absent: names that need their quotes
MERGE INTO "my lake"."s.x"."O""dd" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT DISTINCT k, deleted_at FROM (
SELECT "k""ey" AS k, CAST(NULL AS DATETIME) AS deleted_at FROM "my lake"."s.x"."O""dd" AS t
WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE)) AND NOT EXISTS
  (SELECT 1 AS found FROM "LAKE"."LHT"."RUN1_ROWS" AS s WHERE s."k""ey" = t."k""ey" AND s."ID" = t."ID")
) AS a
) AS n
) AS s
ON t."k""ey" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL OR coalesce(t."ISDELETED", FALSE)) THEN UPDATE SET "ISDELETED" = TRUE, "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- delete_named: names that need their quotes
MERGE INTO "my lake"."s.x"."O""dd" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "my lake"."s.x"."O""dd" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE)
GROUP BY d.k
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL OR coalesce(t."ISDELETED", FALSE)) THEN UPDATE SET "ISDELETED" = TRUE, "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- delete_named, but for rows that live: names that need their quotes
MERGE INTO "my lake"."s.x"."O""dd" AS t
USING (
SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,
  CAST(? AS DATETIME) AS synced_at
FROM (
SELECT d.k AS k, max(d.deleted_at) AS deleted_at
FROM (
    SELECT "ID" AS k, max("DELETED_AT") AS deleted_at
    FROM "LAKE"."LHT"."RUN1_IDS" GROUP BY 1
) AS d
JOIN (SELECT * FROM "my lake"."s.x"."O""dd" WHERE NOT ("_LHT_DELETED_AT" IS NOT NULL OR coalesce("ISDELETED", FALSE))) AS t ON t."ID" = d.k
WHERE TRUE AND NOT coalesce(d.deleted_at < t."SYSTEMMODSTAMP", FALSE) AND d.k NOT IN (SELECT "ID" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "ID" IS NOT NULL AND NOT coalesce("ISDELETED", FALSE))
GROUP BY d.k
) AS n
) AS s
ON t."ID" = s.k
WHEN MATCHED AND NOT (t."_LHT_DELETED_AT" IS NOT NULL OR coalesce(t."ISDELETED", FALSE)) THEN UPDATE SET "ISDELETED" = TRUE, "_LHT_DELETED_AT" = s.deleted_at, "_LHT_RUN_ID" = s.run_id,
  "_LHT_SYNCED_AT" = s.synced_at;

-- delete_moved: names that need their quotes
MERGE INTO "my lake"."s.x"."O""dd" AS t
USING (
  SELECT n."ID" AS i, n."k""ey" AS k FROM (
  SELECT "ID", "k""ey" FROM "LAKE"."LHT"."RUN1_ROWS" WHERE "k""ey" IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY "ID" ORDER BY "SYSTEMMODSTAMP" DESC NULLS LAST, "k""ey") = 1
  ) AS n
  JOIN "my lake"."s.x"."O""dd" AS h ON h."ID" = n."ID" AND h."k""ey" = n."k""ey"
) AS s
ON t."ID" = s.i AND t."k""ey" <> s.k
WHEN MATCHED THEN DELETE;
