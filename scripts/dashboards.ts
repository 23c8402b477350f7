// Writes the dashboards of scripts/dashboards/table.ts as the JSON that Grafana is provisioned with.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { grafanaDashboard } from './dashboards/grafana.ts'
import { dashboards } from './dashboards/table.ts'

const FOLDER = join(import.meta.dirname, '../ops/grafana/dashboards')

for (const dashboard of dashboards) {
  await writeFile(join(FOLDER, `${dashboard.uid}.json`), `${JSON.stringify(grafanaDashboard(dashboard))}\n`)
}
console.log(`${dashboards.length} dashboards written to ops/grafana/dashboards`)
