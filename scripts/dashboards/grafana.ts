import type { Dashboard, Panel } from './panels.ts'

const COLUMNS = 3
const WIDTH = 24 / COLUMNS
const HEIGHT = 8

/** A dashboard as Grafana's JSON model has it (grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model). */
export const grafanaDashboard = ({ uid, title, panels }: Dashboard): object => ({
  uid,
  title,
  tags: ['wearon'],
  schemaVersion: 39,
  version: 1,
  editable: false,
  refresh: '30s',
  time: { from: 'now-6h', to: 'now' },
  templating: { list: [] },
  panels: panels.map(grafanaPanel),
})

const grafanaPanel = ({ title, help, unit, queries }: Panel, index: number): object => ({
  id: index + 1,
  type: 'timeseries',
  title,
  description: help,
  datasource: { type: 'prometheus', uid: 'prometheus' },
  gridPos: { x: (index % COLUMNS) * WIDTH, y: Math.floor(index / COLUMNS) * HEIGHT, w: WIDTH, h: HEIGHT },
  fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
  options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } },
  targets: queries.map(([expr, legendFormat], nth) => ({ refId: String.fromCodePoint(65 + nth), expr, legendFormat })),
})
