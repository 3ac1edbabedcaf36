// Whether the files named are SARIF 2.1.0 by its official schema: node validate_sarif.js FILE…
'use strict';
const { readFileSync } = require('fs');
const { createRequire } = require('module');
const path = require('path');

const fromPackages = createRequire(path.join(__dirname, '../packages/package.json'));
const Ajv = fromPackages('ajv');
const schema = path.join(
  path.dirname(fromPackages.resolve('@microsoft/jest-sarif/package.json')),
  'lib/schemas/sarif-2.1.0-rtm.5.json');

const ajv = new Ajv({ schemaId: 'auto', allErrors: true });
ajv.addMetaSchema(fromPackages('ajv/lib/refs/json-schema-draft-04.json'));
const validate = ajv.compile(JSON.parse(readFileSync(schema)));
for (const file of process.argv.slice(2)) {
  if (validate(JSON.parse(readFileSync(file)))) continue;
  console.error(`${file}:`, validate.errors);
  process.exitCode = 1;
}
if (process.argv.length < 3) process.exitCode = 1;
