// Prints a key of the service role for the project that docker-compose.yml starts, good for a day.
import { legacyKey, TEST_SECRET } from '../support/postgrest-keys.ts'

const DAY_S = 86_400

process.stdout.write(`${legacyKey('service_role', TEST_SECRET, DAY_S)}\n`)
