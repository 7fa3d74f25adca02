// Routes below /doctor. Everything but the sign-in page needs a session of a doctor.
import { createRouter, createWebHistory } from 'vue-router'
import { useRuntime } from '@shared/runtime'

export const router = createRouter({
  history: createWebHistory('/doctor'),
  routes: [
    { path: '/sign-in', name: 'sign-in', component: () => import('./signin/SignInPage.vue'), meta: { open: true } },
    { path: '/', name: 'desk', component: () => import('./desk/DeskPage.vue') },
    { path: '/consultations/:id', name: 'consultation', component: () => import('./desk/DeskPage.vue') },
    { path: '/messages', name: 'messages', component: () => import('./messages/MessagesPage.vue') },
    { path: '/settings', name: 'settings', component: () => import('./settings/SettingsPage.vue') },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
})

router.beforeEach((to) => {
  const signed_in = useRuntime().session.me?.role === 'doctor'
  if (!to.meta.open && !signed_in) return { name: 'sign-in' }
  if (to.name === 'sign-in' && signed_in) return { name: 'desk' }
  return true
})
